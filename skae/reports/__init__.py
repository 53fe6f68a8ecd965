"""Reports: what was fitted, and what it makes of rows, on a page for people."""

from skae.reports._report import Report, ReportWarning

__all__ = ["Report", "ReportWarning"]
