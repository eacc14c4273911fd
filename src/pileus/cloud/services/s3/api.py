"""S3: the operations by what they are about.

buckets · bucket_settings · notifications · objects (put, delete) · reading · copying · multipart · listing · tagging ·
lifecycle
"""

from __future__ import annotations

from .bucket_settings import BucketSettingOperations
from .buckets import BucketOperations
from .lifecycle import LifecycleOperations
from .listing import ListOperations
from .tagging import TaggingOperations


class S3(LifecycleOperations, BucketOperations, BucketSettingOperations, ListOperations, TaggingOperations):
    """Also offers `preflight(bucket, request)` to the gateway: the answer to a browser's OPTIONS."""
