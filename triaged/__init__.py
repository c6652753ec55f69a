"""triaged: a correspondence daemon for the offices of mayors and party leaders."""
