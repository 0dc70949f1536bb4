"""The attacker's view: each test is an attempt that must fail."""
