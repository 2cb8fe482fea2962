"""The pages for people: plain HTML, one style sheet and ES modules, which ask the API as any other client does."""
