"""Looks for defects in what a data set gives, whatever data set it is: one module a subject, one function a check.

`examination` reads the splits and runs the table in `checks`; docs/doctor.md states every rule and its threshold.
"""
