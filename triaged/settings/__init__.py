"""triaged.toml → Settings: reads the file, checks every key, says all that is wrong with it."""
