"""Judging the files that people attach: by name, by signature and by inner structure, in a child process."""
