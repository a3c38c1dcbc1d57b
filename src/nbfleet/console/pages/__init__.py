"""The pages of a project, one module for each subject. Each names its pages in a function `pages`."""
