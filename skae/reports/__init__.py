"""Reports: what was fitted, and what it makes of rows, on a page for people."""

from skae.reports._report import Report
from skae.reports._warnings import ReportWarning

__all__ = ["Report", "ReportWarning"]
