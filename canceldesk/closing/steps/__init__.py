"""The steps of a closing, one file each: facts, hold, document, clear, stop, verify, confirm.

A step looks at what is, does the next thing that is missing, reads it back, and says what it
came to. It can be run any number of times.
"""
