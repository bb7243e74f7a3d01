"""What this machine has and lacks for a config, and how long that will take."""
