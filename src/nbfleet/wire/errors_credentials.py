"""Refusals of credentials: signatures, tokens, passwords.

They say nothing of what somebody may do; that is in `errors`.
"""

from nbfleet.wire.errors import ApiError, ErrorCode, shown


def unauthorized_signature(reason: str) -> ApiError:
    return ApiError(401, ErrorCode.SIGNATURE, f"Incorrect authentication information: {shown(reason)}.")


def token_missing() -> ApiError:
    return ApiError(401, ErrorCode.TOKEN_MISSING, "The request carries neither a token nor a signature.")


def token_expired() -> ApiError:
    return ApiError(401, ErrorCode.TOKEN_EXPIRED, "The token has expired.")


def token_invalid() -> ApiError:
    return ApiError(401, ErrorCode.TOKEN_INVALID, "The token is not valid.")


def token_unreadable() -> ApiError:
    return ApiError(401, ErrorCode.TOKEN_UNREADABLE, "The token cannot be read.")


def token_without_project() -> ApiError:
    return ApiError(401, ErrorCode.TOKEN_WITHOUT_PROJECT, "The token is not valid for any project.")


def wrong_password() -> ApiError:
    """One answer for an unknown user, a wrong password and a foreign project: none can be guessed at."""
    return ApiError(401, ErrorCode.SIGNATURE, "Incorrect user, password, account or project.")
