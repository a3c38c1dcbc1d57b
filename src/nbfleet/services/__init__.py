"""One function for each thing a caller can ask: check, record the intent in one transaction, hint.

No function here waits for an instance or touches a runtime: making it so is the reconciler's work.
"""
