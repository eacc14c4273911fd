"""S3: the operations by what they are about.

buckets · bucket_settings · notifications · objects (put, delete) · reading · copying · multipart · listing ·
upload_listing · tagging · lifecycle · post_form
"""

from __future__ import annotations

from .bucket_settings import BucketSettingOperations
from .buckets import BucketOperations
from .lifecycle import LifecycleOperations
from .listing import ListOperations
from .post_form import PostOperations
from .tagging import TaggingOperations
from .upload_listing import UploadListOperations


class S3(
    LifecycleOperations,
    PostOperations,
    BucketOperations,
    BucketSettingOperations,
    ListOperations,
    TaggingOperations,
    UploadListOperations,
):
    """Also offers to the gateway what is no API operation: `preflight`, a browser's OPTIONS, and `read_form` with
    `post_object`, the upload by a form."""
