"""Untrusted files are opened in a process of their own, which has limits and no secrets."""

from mediaplatform_worker.sandbox.port import FirstTier, Job, Sandbox

__all__ = ["FirstTier", "Job", "Sandbox"]
