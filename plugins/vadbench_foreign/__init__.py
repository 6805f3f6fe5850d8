"""Methods that live elsewhere: another environment, another language, a repository of their own."""
