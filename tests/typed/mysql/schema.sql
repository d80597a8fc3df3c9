CREATE TABLE users (
    id bigint NOT NULL AUTO_INCREMENT,
    name varchar(40) NOT NULL,
    bio text,
    age int,
    active tinyint(1) NOT NULL,
    tiny tinyint NOT NULL,
    small smallint unsigned NOT NULL,
    counted int unsigned NOT NULL,
    large bigint unsigned NOT NULL,
    score double NOT NULL,
    ratio float,
    raw blob,
    born date,
    created_at datetime NOT NULL,
    seen_at timestamp NULL,
    mood enum('happy', 'sad') NOT NULL DEFAULT 'happy',
    PRIMARY KEY (id)
);
CREATE TABLE posts (
    id bigint NOT NULL AUTO_INCREMENT,
    user_id bigint NOT NULL,
    title varchar(40) NOT NULL,
    body text,
    `type` varchar(10) NOT NULL DEFAULT 'note',
    extra json,
    PRIMARY KEY (id),
    KEY posts_user (user_id),
    CONSTRAINT posts_user_id FOREIGN KEY (user_id) REFERENCES users (id)
);
