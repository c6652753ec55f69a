"""The whole job on sample mail: two mailboxes, the shipped rules and model, a local SMTP sink. No server needed."""
