"""From a config to the runs, specifications, tables and figures that it asks for."""
