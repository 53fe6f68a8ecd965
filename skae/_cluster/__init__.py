"""Fits on the workers of a Dask cluster that hold the rows."""
