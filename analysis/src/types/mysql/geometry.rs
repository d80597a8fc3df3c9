//! Geometry: the types of columns, and functions of MariaDB.

use super::Wire;
use super::item::Item;

/// Whether a type is a geometry. They are sent alike.
pub(super) fn is_type(name: &str) -> bool {
    matches!(
        name,
        "geometry"
            | "point"
            | "linestring"
            | "polygon"
            | "multipoint"
            | "multilinestring"
            | "multipolygon"
            | "geometrycollection"
            | "geomcollection"
    )
}

/// The result of a function of geometries.
pub(super) fn of_function(name: &str) -> Option<Item> {
    let item = match name {
        "x" | "y" | "st_x" | "st_y" | "st_area" | "st_length" | "st_distance" | "st_distance_sphere" => {
            Item::double(23)
        }
        "st_within" | "st_contains" | "st_equals" | "st_intersects" => Item::unsigned_size("Long", 1),
        "st_srid" | "st_numpoints" | "st_dimension" => Item::unsigned_size("Long", 10),
        "point" | "st_geomfromtext" | "st_pointfromtext" | "st_geomfromgeojson" | "st_startpoint"
        | "st_buffer" | "st_envelope" | "st_centroid" => bytes("Geometry"),
        "st_asbinary" | "st_aswkb" => bytes("LongBlob"),
        "astext" | "st_astext" => long_text(u32::MAX),
        "st_asgeojson" => long_text(67_108_864),
        "st_geometrytype" => Item::text(20 * 4),
        _ => return None,
    };
    Some(item.nullable(true))
}

fn bytes(ty: &'static str) -> Item {
    Item::unsigned_size(ty, u32::MAX)
}

fn long_text(size: u32) -> Item {
    let text = Item::text(size);
    Item { wire: Wire { ty: "LongBlob", ..text.wire }, ..text }
}
