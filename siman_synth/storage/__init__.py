"""Bytes on disk: the LMDB layout that text recognizers read, its writer, its reader and its checks."""
