CREATE TABLE steps (
    id INTEGER PRIMARY KEY,
    run_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    note TEXT,
    created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
    UNIQUE (run_id, name)
);
CREATE INDEX steps_name_id ON steps (name, id);
CREATE INDEX steps_run_id_created_at_id ON steps (run_id, created_at, id);

CREATE TABLE articles (
    id INTEGER PRIMARY KEY,
    author_id INTEGER NOT NULL,
    title TEXT NOT NULL,
    created_at TEXT NOT NULL
);
CREATE INDEX articles_author_id_created_at_id ON articles (author_id, created_at, id);
