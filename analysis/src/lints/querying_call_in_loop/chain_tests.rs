//! The advice on a call whose query is run by what the called function calls.

use crate::lints::tests::findings_in;

/// What the help says of a call in a loop over `ids`, by which `server.name` is read.
#[track_caller]
fn help(call: &str, items: &str) -> String {
    let source = format!(
        "async fn run(db: &PgPool, ids: &[i64], server: &Server) {{ for id in ids {{ {call}.await; }} }} {items}
         impl Server {{ async fn name(&self, db: &PgPool) -> String {{
            sql!(\"SELECT name FROM servers WHERE id = $1\", self.id).fetch_one(db).await
         }} }}"
    );
    let found = findings_in("querying_call_in_loop", &source);
    let found = found.into_iter().filter(|finding| finding.lint == "querying_call_in_loop");
    found.flat_map(|finding| finding.help).next().unwrap_or_default()
}

#[test]
fn a_key_that_is_the_same_for_all_elements_is_read_once() {
    let once = "read before the loop, and give `update` the result: the key is the same for all elements";
    let update = "async fn update(id: i64, server: &Server, db: &PgPool) { println!(\"{id} {}\", server.name(db).await); }";
    assert_eq!(help("update(*id, server, db)", update), once);
    let of_repo = update.replace("server", "repo");
    assert_eq!(help("update(*id, repo, db)", &of_repo), once);
    let further =
        format!("async fn step(id: i64, of: &Server, db: &PgPool) {{ update(id, of, db).await; }} {update}");
    assert_eq!(help("step(*id, server, db)", &further), once.replace("`update`", "`step`"));
}

#[test]
fn a_key_that_is_not_followed_may_be_either() {
    let update = "async fn update(id: i64, server: &Server, db: &PgPool) { let other = pick(db).await; other.name(db).await; }
        async fn pick(db: &PgPool) -> Server { unknown(db).await }";
    let either = "read before the loop, and give `update` the result: once if the key is the same for all elements, otherwise for all \
                  keys by `SELECT id, name FROM servers WHERE id = ANY($1::bigint[])`";
    assert_eq!(help("update(*id, server, db)", update), either);
}

#[test]
fn a_key_of_the_element_is_read_for_all() {
    let load = "async fn load(id: i64, db: &PgPool) { find(id, db).await; }
        async fn find(id: i64, db: &PgPool) { sql!(\"SELECT name FROM servers WHERE id = $1\", id).fetch_one(db).await; }";
    let all = "read for all elements before the loop: give `load` all keys, and run \
               `SELECT id, name FROM servers WHERE id = ANY($1::bigint[])`";
    assert_eq!(help("load(*id, db)", load), all);
}
