"""A desk to try out: a practice Billsby, a sample workbook, three people and cases in every
state, all of it below one folder.
"""
