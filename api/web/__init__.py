"""The pages for people: made here of templates, with the use cases that the API has, and no truth of their own.

A page is a module with `add(pages, parts)`, a template, its line in `routes.py`, and its strings in both languages.
"""
