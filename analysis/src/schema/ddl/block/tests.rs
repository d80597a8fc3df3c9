//! Statements of blocks, as they are read.

use super::*;

fn nodes(body: &str) -> Vec<Node> {
    parse(body, Dialect::Postgres)
}

#[test]
fn plain_statements_in_a_block() {
    let parsed = nodes(
        "DECLARE x int := 1; BEGIN CREATE TABLE a (b int); NULL; EXCEPTION WHEN duplicate_table THEN RAISE NOTICE 'x'; END",
    );
    let statement = Node::Statement("CREATE TABLE a (b int)".to_owned());
    let x = Node::Assign { variable: "x".to_owned(), value: "1".to_owned() };
    assert_eq!(
        parsed,
        [
            x,
            Node::Block {
                label: None,
                declares: Vec::new(),
                nodes: vec![statement],
                handlers: Some(Vec::new())
            }
        ]
    );
}

#[test]
fn guards_on_the_catalog() {
    let body = "BEGIN IF NOT EXISTS (SELECT 1 FROM pg_type t WHERE t.typname = 'mood') THEN CREATE TYPE mood AS ENUM ('a'); END IF; END";
    let parsed = nodes(body);
    let [Node::Block { nodes, .. }] = parsed.as_slice() else { panic!("one block: {parsed:?}") };
    let [Node::If { branches, .. }] = nodes.as_slice() else { panic!("one guard: {nodes:?}") };
    let test = Test::Catalog {
        catalog: "pg_type".to_owned(),
        equals: vec![("typname".to_owned(), "mood".to_owned())],
    };
    assert_eq!(branches[0].0, Condition { negated: true, test });
    assert_eq!(branches[0].1.len(), 1);
    let condition = condition("to_regclass('public.a') IS NULL", Dialect::Postgres);
    let relation = Written { schema: Some("public".to_owned()), name: "a".to_owned() };
    assert_eq!(condition, Condition { negated: true, test: Test::Relation(relation) });
}

#[test]
fn variables_and_loops_over_arrays() {
    let parsed = nodes(
            "DECLARE n text; d int := 3; BEGIN SELECT count(*) FROM t INTO d; SELECT a, b INTO n, d FROM t; n := 'x';
             FOREACH n IN ARRAY ARRAY['a', 'b'] LOOP EXECUTE 'DROP TABLE ' || n USING d; END LOOP; END",
        );
    let assign =
        |name: &str, value: &str| Node::Assign { variable: name.to_owned(), value: value.to_owned() };
    assert_eq!(parsed[..2], [assign("n", ""), assign("d", "3")]);
    let Node::Block { nodes, .. } = &parsed[2] else { panic!("a block: {parsed:?}") };
    assert_eq!(
        nodes[..4],
        [assign("d", "(SELECT count(*) FROM t )"), assign("n", ""), assign("d", ""), assign("n", "'x'")]
    );
    let each = Node::ForEach {
        variable: "n".to_owned(),
        items: vec!["VARIADIC ARRAY['a', 'b']".to_owned()],
        columns: Vec::new(),
        nodes: vec![Node::Execute("'DROP TABLE ' || n".to_owned())],
    };
    assert_eq!(nodes[4..], [each]);
}

#[test]
fn loops_and_branches() {
    let parsed = nodes(
        "FOR r IN SELECT 1 LOOP EXECUTE r; END LOOP; IF a THEN DROP TABLE x; ELSE DROP TABLE y; END IF; DROP TABLE z;",
    );
    assert_eq!(parsed.len(), 3);
    assert!(runs_ddl(&parsed));
    assert!(!may_be_ddl("'SELECT ' || x", Dialect::Postgres) && may_be_ddl("x", Dialect::Postgres));
    assert!(!runs_ddl(&nodes("BEGIN UPDATE a SET b = 1; RETURN NEW; END")));
}

#[test]
fn broken_bodies_are_read_as_far_as_they_go() {
    let block = Node::Block { label: None, declares: Vec::new(), nodes: Vec::new(), handlers: None };
    for (body, expected) in [
        ("END END", vec![]),
        ("BEGIN", vec![block]),
        ("CASE", vec![Node::If { branches: Vec::new(), otherwise: Vec::new() }]),
        ("LOOP", vec![Node::Loop(Vec::new())]),
        ("EXECUTE", vec![Node::Execute(String::new())]),
        (";;", vec![]),
        ("ELSE x", vec![Node::Statement("x".to_owned())]),
    ] {
        assert_eq!(nodes(body), expected, "{body}");
    }
    for body in ["IF", "IF a THEN"] {
        let parsed = nodes(body);
        let [Node::If { branches, otherwise }] = parsed.as_slice() else { panic!("{body}: {parsed:?}") };
        assert!(matches!(branches.as_slice(), [(_, guarded)] if guarded.is_empty()), "{body}: {parsed:?}");
        assert_eq!(otherwise, &[], "{body}");
    }
}
