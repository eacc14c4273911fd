"""AWS Security Token Service: sessions of roles and users, and who a caller is."""
