"""The report: one page that holds every verdict, table and figure of a scale."""
