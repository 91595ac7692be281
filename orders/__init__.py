"""Pure rules of a custom order: no input, no output, no clock, no engine.

Everything here is a value or a function of values. Modules that talk to the engine, the portal or a file
system import from here and never the other way round.
"""
