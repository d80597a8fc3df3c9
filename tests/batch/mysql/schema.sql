CREATE TABLE steps (
    id bigint NOT NULL AUTO_INCREMENT,
    run_id bigint NOT NULL,
    name varchar(40) COLLATE utf8mb4_bin NOT NULL,
    note varchar(40),
    created_at datetime(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    PRIMARY KEY (id),
    UNIQUE KEY steps_run_id_name (run_id, name),
    KEY steps_name_id (name, id),
    KEY steps_run_id_created_at_id (run_id, created_at, id)
);

CREATE TABLE articles (
    id bigint NOT NULL AUTO_INCREMENT,
    author_id bigint NOT NULL,
    title varchar(40) NOT NULL,
    created_at datetime(6) NOT NULL,
    PRIMARY KEY (id),
    KEY articles_author_id_created_at_id (author_id, created_at, id)
);

CREATE TABLE drafts (
    id bigint NOT NULL AUTO_INCREMENT,
    run_id bigint NOT NULL,
    body longtext NOT NULL,
    file longblob,
    PRIMARY KEY (id)
);
