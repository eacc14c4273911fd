"""The tables of S3.

An object's bytes lie apart from its row, so that the rows which a listing reads are dense: up to 64 KiB in
`s3_content`, more in a file (`blob`), those of a multipart upload in the files of its parts (`s3_segment`). Keys compare
by their UTF-8 bytes, as S3 lists them. `id` rises with time: among the versions of a key the greatest is the newest.
"""

from __future__ import annotations

MIGRATIONS = (
    """
    CREATE TABLE s3_bucket (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL UNIQUE,
        account TEXT NOT NULL,
        region TEXT NOT NULL,
        created REAL NOT NULL,
        versioning TEXT
    );
    CREATE INDEX s3_bucket_owner ON s3_bucket (account, name);
    CREATE TABLE s3_bucket_setting (
        bucket INTEGER NOT NULL,
        name TEXT NOT NULL,
        value BLOB NOT NULL,
        PRIMARY KEY (bucket, name)
    ) WITHOUT ROWID;
    CREATE TABLE s3_object (
        id INTEGER PRIMARY KEY,
        bucket INTEGER NOT NULL,
        key TEXT NOT NULL,
        version TEXT NOT NULL,
        latest INTEGER NOT NULL,
        marker INTEGER NOT NULL,
        size INTEGER NOT NULL,
        etag TEXT NOT NULL,
        modified REAL NOT NULL,
        storage_class TEXT NOT NULL,
        checksum_algorithm TEXT,
        checksum TEXT,
        checksum_type TEXT,
        blob TEXT,
        parts INTEGER NOT NULL DEFAULT 0,
        details BLOB NOT NULL
    );
    CREATE UNIQUE INDEX s3_object_current ON s3_object (bucket, key) WHERE latest=1 AND marker=0;
    CREATE INDEX s3_object_version ON s3_object (bucket, key, id DESC);
    CREATE TABLE s3_content (id INTEGER PRIMARY KEY, data BLOB NOT NULL);
    CREATE TABLE s3_segment (
        object INTEGER NOT NULL,
        number INTEGER NOT NULL,
        start INTEGER NOT NULL,
        size INTEGER NOT NULL,
        blob TEXT NOT NULL,
        checksum TEXT,
        PRIMARY KEY (object, number)
    ) WITHOUT ROWID;
    CREATE INDEX s3_segment_start ON s3_segment (object, start);
    CREATE TABLE s3_upload (
        id TEXT PRIMARY KEY,
        bucket INTEGER NOT NULL,
        key TEXT NOT NULL,
        initiated REAL NOT NULL,
        storage_class TEXT NOT NULL,
        checksum_algorithm TEXT,
        checksum_type TEXT,
        initiator TEXT NOT NULL,
        details BLOB NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX s3_upload_key ON s3_upload (bucket, key, id);
    CREATE TABLE s3_part (
        upload TEXT NOT NULL,
        number INTEGER NOT NULL,
        size INTEGER NOT NULL,
        etag TEXT NOT NULL,
        modified REAL NOT NULL,
        blob TEXT NOT NULL,
        checksum TEXT,
        PRIMARY KEY (upload, number)
    ) WITHOUT ROWID;
    """,
)
