"""A guard of the tests: each mechanism that protects an order is taken away once, and a test has to notice.

`make mutants` runs the whole list, `tests/unit/test_mutation_guard.py` the quick part of it. A mutant that nobody
notices is a mechanism which anybody may break unseen: then a test is missing, and the guard fails.
"""
