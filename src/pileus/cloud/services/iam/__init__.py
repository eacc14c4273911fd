"""AWS Identity and Access Management: roles, users, groups, their policies and access keys."""
