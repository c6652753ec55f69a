"""rules.yaml over time: which rules are in use, who hears that it is wrong, how often each applied, what a change means."""
