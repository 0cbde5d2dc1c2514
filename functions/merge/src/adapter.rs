//! The component around [`crate::merge()`]: shapes of the contract to plain ones and back, no more.

wit_bindgen::generate!({
    path: ["../../wit/types", "../../wit/merge"],
    world: "tallow:merge/merge-function",
    generate_all,
});

use exports::tallow::merge::merge as wit;

function_table::conversions!(tallow::types::types);

struct Component;

export!(Component);

impl wit::Guest for Component {
    fn describe() -> wit::Description {
        wit::Description {
            name: env!("CARGO_PKG_NAME").to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    fn merge(
        before: Option<wit_types::Table>,
        inputs: Vec<wit::Input>,
        settings: wit::Settings,
    ) -> Result<wit::Merged, String> {
        let inputs: Vec<crate::Input> = inputs.into_iter().map(input_in).collect();
        let merged = crate::merge(before.map(table_in).as_ref(), &inputs, &settings_in(settings))?;
        Ok(wit::Merged {
            table: table_out(merged.table),
            gaps: merged.gaps.into_iter().map(gap_out).collect(),
        })
    }
}

fn input_in(input: wit::Input) -> crate::Input {
    crate::Input {
        source: match input.source {
            wit::Source::Batch => crate::Source::Batch,
            wit::Source::Speed => crate::Source::Speed,
            wit::Source::Backfill => crate::Source::Backfill,
        },
        table: table_in(input.table),
        covers: input.covers.map(|range| crate::Range { from_us: range.from_us, to_us: range.to_us }),
    }
}

fn settings_in(settings: wit::Settings) -> crate::Settings {
    let average = |it: wit::Average| crate::Average { name: it.name, column: it.column, length: it.length };
    crate::Settings {
        keys: settings.keys,
        step_us: settings.step_us,
        fill: settings.fill,
        until_us: settings.until_us,
        carried: settings.carried,
        zeroed: settings.zeroed,
        averages: settings.averages.into_iter().map(average).collect(),
    }
}

fn gap_out(gap: crate::Gap) -> wit::Gap {
    wit::Gap {
        lack: match gap.lack {
            crate::Lack::Missing => wit::Lack::Missing,
            crate::Lack::Partial => wit::Lack::Partial,
        },
        span: wit::Range { from_us: gap.span.from_us, to_us: gap.span.to_us },
        windows: gap.windows,
    }
}
