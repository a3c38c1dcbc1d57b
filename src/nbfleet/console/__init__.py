"""The web pages: what the API knows and does, for people.

Pages ask the same operations as every other client, as whoever is signed in (`desk`), and show the answers.
They filter, sort and count nothing, and know neither SQL nor a runtime. Templates hold the markup, `static`
what a browser loads once, `locales` the words in other languages.
"""
