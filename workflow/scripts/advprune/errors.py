"""Mistakes that a user can mend."""


class UserError(Exception):
    """Something outside the code is wrong; the message says what, where and what to do next."""
