"""What stands between master and workers: the encrypted port, who may speak there, and who is gone."""
