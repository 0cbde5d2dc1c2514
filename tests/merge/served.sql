-- What `tallow merge` has to serve, by other means, from the same batch and speed files in the lake {lake}; and where
-- what it served differs. Rows: the number of days expected, of days served, of differing days, and some of these.
-- Times are taken as their microseconds: DuckDB's package has no time zones without an extension.
create temp macro utc(moment) as make_timestamp(epoch_us(moment));

create temp table sources as
select file_name as filename, decode(value) as source
from parquet_kv_metadata('{lake}/speed/candles_1d/*/*.parquet') where decode(key) = 'tallow.source';

create temp table candidates as
select symbol, utc(window_start) as window_start, open, high, low, close, volume, trades, complete, revision, 'batch' as source
from read_parquet('{lake}/batch/daily/**/*.parquet', union_by_name = true) where not coalesce(filled, false)
union all by name
select symbol, utc(window_start) as window_start, open, high, low, close, volume, trades, complete, revision,
       if(sources.source = 'backfill', 'backfill', 'speed') as source
from read_parquet('{lake}/speed/candles_1d/*/*.parquet', filename = true) as rows
left join sources using (filename);

create temp table best as
select * from candidates
qualify row_number() over (
    partition by symbol, window_start
    order by case when complete then 0 when complete is null then 1 else 2 end, source <> 'batch', revision desc,
             source <> 'backfill'
) = 1;

create temp table expected as
with days as (
    select symbol, unnest(generate_series(min(window_start), max(window_start), interval 1 day)) as window_start
    from best group by symbol
),
carried as (
    select days.symbol, days.window_start, best.symbol is null as filled, source, revision,
           if(best.symbol is null, false, complete) as complete,
           last_value(open ignore nulls) over back as open, last_value(high ignore nulls) over back as high,
           last_value(low ignore nulls) over back as low, last_value(close ignore nulls) over back as close,
           if(best.symbol is null, 0, volume) as volume, if(best.symbol is null, 0, trades) as trades
    from days left join best on best.symbol = days.symbol and best.window_start = days.window_start
    window back as (partition by days.symbol order by days.window_start)
)
select *, avg(close) over (partition by symbol order by window_start rows 6 preceding) as ma7,
       avg(close) over (partition by symbol order by window_start rows 29 preceding) as ma30
from carried;

create temp table served as
select * replace (utc(window_start) as window_start, utc(window_end) as window_end)
from read_parquet('{lake}/serving/daily/**/*.parquet', hive_partitioning = true);

create temp table prophet as
select * from read_parquet('{lake}/prophet_input/daily/**/*.parquet', hive_partitioning = true);

create temp table differing as
select coalesce(expected.symbol, served.symbol) as symbol,
       coalesce(expected.window_start, served.window_start) as day
from expected
full join served on expected.symbol = served.symbol and expected.window_start = served.window_start
left join prophet on prophet.symbol = served.symbol and prophet.ds = served.window_start
where expected.symbol is null or served.symbol is null
   or year(served.window_start) <> served.year
   or served.window_end <> served.window_start + interval 1 day
   or (expected.open, expected.high, expected.low, expected.close, expected.volume, expected.trades)
      is distinct from (served.open, served.high, served.low, served.close, served.volume, served.trades)
   or (expected.filled, expected.source, expected.complete, expected.revision)
      is distinct from (served.filled, served.source, served.complete, served.revision)
   or abs(expected.ma7 - served.ma7) > 1e-12 * abs(expected.ma7)
   or abs(expected.ma30 - served.ma30) > 1e-12 * abs(expected.ma30)
   or prophet.y is distinct from served.close;

select (select count(*) from expected), (select count(*) from served), (select count(*) from prophet),
       (select count(*) from differing), (select list(differing) from (from differing limit 5) as differing);
