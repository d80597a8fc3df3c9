CREATE TABLE users (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    bio TEXT,
    age INTEGER,
    active BOOLEAN NOT NULL,
    small INT4 NOT NULL,
    score REAL NOT NULL,
    raw BLOB,
    created_at DATETIME NOT NULL,
    price DECIMAL(10, 2)
);
CREATE TABLE posts (
    id INTEGER PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users (id),
    title TEXT NOT NULL,
    body TEXT
);
CREATE INDEX posts_user ON posts (user_id);
CREATE VIEW active_users AS SELECT id, name, age FROM users WHERE active;
