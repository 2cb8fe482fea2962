"""The pages of documents: sent, followed, looked at, corrected, found again, alone and in batches."""
