//! Names whose spelling MySQL and SQLite keep, and write as they read it.

use super::{has_parts, round_trip};
use crate::sql::Dialect;

#[test]
fn defaults_of_mysql_are_written_as_it_takes_them() {
    let text = round_trip(
        Dialect::MySql,
        "CREATE TABLE df (id int PRIMARY KEY, c timestamp NULL DEFAULT NULL ON UPDATE CURRENT_TIMESTAMP,
             b timestamp(3) NOT NULL DEFAULT NOW(3) ON UPDATE NOW(3), g timestamp NOT NULL DEFAULT 0 ON UPDATE now(),
             k timestamp NOT NULL ON UPDATE CURRENT_TIMESTAMP, w datetime DEFAULT (current_timestamp()),
             v datetime DEFAULT (current_timestamp() + interval 1 day), j json DEFAULT ('{}'), t text DEFAULT ('abc'));
         CREATE TABLE g (id int PRIMARY KEY, at datetime, a date AS (CAST(at AS DATE)) STORED, s varchar(20) AS (left(at, 2)),
             CHECK (cast(at as date) > '2000-01-01' and id in (1, 2)));",
    );
    has_parts(
        &text,
        &[
            "`c` timestamp NULL ON UPDATE CURRENT_TIMESTAMP,",
            "`b` timestamp(3) NOT NULL DEFAULT now(3) ON UPDATE CURRENT_TIMESTAMP(3),",
            "`g` timestamp NOT NULL DEFAULT 0 ON UPDATE CURRENT_TIMESTAMP,",
            "`k` timestamp NOT NULL ON UPDATE CURRENT_TIMESTAMP,",
            "`w` datetime DEFAULT CURRENT_TIMESTAMP(),",
            "`v` datetime DEFAULT (CURRENT_TIMESTAMP() + INTERVAL 1 day),",
            "`j` json DEFAULT ('{}'),",
            "`t` text DEFAULT ('abc'),",
            "AS (CAST(at AS date)) STORED",
            "AS (LEFT(at, 2))",
            "CHECK (CAST(at AS date) > '2000-01-01' AND id IN (1, 2))",
        ],
    );
}

#[test]
fn names_are_written_with_their_capitals() {
    let ddl = "CREATE TABLE Users (Id int PRIMARY KEY, firstName varchar(20));
         CREATE TABLE Orders (orderId int PRIMARY KEY, UserId int, FOREIGN KEY (userid) REFERENCES Users (id));
         CREATE VIEW ActiveUsers AS SELECT *, firstName AS FullName FROM Users;
         ALTER TABLE Orders RENAME TO AllOrders; ALTER TABLE AllOrders RENAME COLUMN UserId TO buyerId;";
    let mysql = round_trip(Dialect::MySql, &format!("{ddl} CREATE TABLE Made SELECT Id FROM Users;"));
    has_parts(
        &mysql,
        &[
            "CREATE TABLE `AllOrders` (\n    `orderId` int NOT NULL,\n    `buyerId` int,",
            "REFERENCES `Users` (`id`)",
            "CREATE VIEW `ActiveUsers` (`Id`, `firstName`, `FullName`) AS",
            "CREATE TABLE `Made` (\n    `Id` int NOT NULL\n)",
        ],
    );
    let sqlite = round_trip(Dialect::Sqlite, ddl);
    has_parts(
        &sqlite,
        &[
            "CREATE TABLE \"Users\" (\n    \"Id\" INT,\n    \"firstName\" varchar(20)",
            "CREATE VIEW \"ActiveUsers\" (\"Id\", \"firstName\", \"FullName\") AS",
        ],
    );
    let postgres = round_trip(Dialect::Postgres, "CREATE TABLE Users (Id int, \"userId\" int)");
    has_parts(&postgres, &["CREATE TABLE users (\n    id integer,\n    \"userId\" integer"]);
}

#[test]
fn columns_of_a_query_follow_those_of_the_statement() {
    let text = round_trip(
        Dialect::MySql,
        "CREATE TABLE src (d int); CREATE TABLE roll (k int NOT NULL, n int, lo double, hi double, PRIMARY KEY (k))
         SELECT d AS k, 0 AS n FROM src",
    );
    has_parts(&text, &["(\n    `lo` double,\n    `hi` double,\n    `k` int NOT NULL,\n    `n` int,"]);
}

#[test]
fn what_migrations_of_mysql_say_beside_columns() {
    let text = round_trip(
        Dialect::MySql,
        "CREATE TABLE a (id int PRIMARY KEY, x int); CREATE TABLE b (x int);
         ALTER TABLE a ENCRYPTION='Y', COMPRESSION='zlib'; ALTER TABLE a STATS_AUTO_RECALC=1, PAGE_COMPRESSED=1;
         ALTER TABLE a WAIT 5 ADD COLUMN w int; ALTER TABLE a ALTER COLUMN IF EXISTS nope SET DEFAULT 3;
         ALTER TABLE a MODIFY COLUMN IF EXISTS nope int, CHANGE COLUMN IF EXISTS nope nope2 int, ADD COLUMN v int;
         ALTER TABLE b ADD FOREIGN KEY IF NOT EXISTS fk (x) REFERENCES a (id); DO SLEEP(1);
         BEGIN NOT ATOMIC ALTER TABLE b ADD COLUMN y int; IF 1 = 1 THEN ALTER TABLE b ADD COLUMN z int; END IF; END;
         CREATE TABLE sal (emp int, f date, t date, PERIOD FOR v (f, t), PRIMARY KEY (emp, v WITHOUT OVERLAPS));",
    );
    has_parts(
        &text,
        &[
            "`w` int,",
            "`v` int,",
            "`x` int,\n    `y` int,\n    `z` int",
            "`fk`",
            "PRIMARY KEY (`emp`, `t`, `f`)",
        ],
    );
}

#[test]
fn types_of_mysql_keep_how_they_are_shown() {
    let text = round_trip(
        Dialect::MySql,
        "CREATE TABLE u (b int, KEY a (b));
         CREATE TABLE a (i int(5) NOT NULL, j int(11), u tinyint(1) unsigned, z int(6) zerofill, w bigint(7) unsigned,
             b char(5) byte, v varchar(6) byte, n varchar(10) binary, c varchar(10) compressed);
         CREATE TABLE d (a varchar(10), b text, c mediumtext) CHARACTER SET latin1;
         ALTER TABLE d CONVERT TO CHARACTER SET utf8mb4;",
    );
    has_parts(
        &text,
        &[
            "`i` int(5) NOT NULL,\n    `j` int,\n    `u` tinyint(1) unsigned,\n    `z` int(6) unsigned zerofill,",
            "`w` bigint(7) unsigned,\n    `b` binary(5),\n    `v` varbinary(6),",
            "`n` varchar(10) COLLATE utf8mb4_bin,",
            "`b` mediumtext,\n    `c` longtext\n",
        ],
    );
}
