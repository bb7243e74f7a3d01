"""Of every test of the report."""

import pytest
from report_tools import write_records, write_results


@pytest.fixture
def results(tmp_path):
    """A folder of results, to be spoilt."""
    write_records(tmp_path)
    return write_results(tmp_path)
