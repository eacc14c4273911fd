"""Simple Email Service, versions 1 and 2 over one mailbox: every message that is sent lands in the outbox as MIME."""
