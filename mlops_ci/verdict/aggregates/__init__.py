"""What the estimators need of the rows, counted in one or two passes. All of it merges.

Counts and sums are whole numbers, so neither the order of the rows, nor the size of a chunk, nor
how the rows are cut into files changes a single bit of them.
"""
