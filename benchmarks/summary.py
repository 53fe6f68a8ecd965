"""What the results say in a line each: the page's summary.

Figures are read from the results, and so is who is ahead. What it means to a user is
written in `summary_codes` and `summary_rows`.
"""

from benchmarks import summary_codes, summary_rows
from benchmarks.findings import NotMeasured, Results


def summary():
    """All findings, in the order of the page, of what was measured."""
    results, found = Results(), []
    for find in (*summary_codes.FINDINGS, *summary_rows.FINDINGS):
        try:
            found.append(find(results))
        except NotMeasured:
            continue  # without the data or the peer there is nothing to say
    return found
