"""Access tokens (RFC 6749) in place of passwords: from Microsoft and Google, for IMAP, SMTP, Exchange and Graph."""
