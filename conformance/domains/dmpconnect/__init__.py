"""DmpConnect-JS at the workstation of a scenario."""
