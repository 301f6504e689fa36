package io.tlsrpt.runtime;

import java.util.Map;
import org.apache.kafka.streams.state.RocksDBConfigSetter;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.Cache;
import org.rocksdb.CompressionType;
import org.rocksdb.IndexType;
import org.rocksdb.LRUCache;
import org.rocksdb.Options;
import org.rocksdb.RocksDB;
import org.rocksdb.WriteBufferManager;

/// Bounds the native memory of all state stores of this process together: 64 MiB of blocks, of which 24 MiB may be
/// unwritten data, however many stores and partitions there are. RocksDB alone would take some 100 MiB for each store.
public final class BoundedRocksDb implements RocksDBConfigSetter {

    private static final long CACHE_BYTES = 64L * 1024 * 1024;
    private static final long WRITE_BUFFERS_BYTES = 24L * 1024 * 1024;
    private static final long WRITE_BUFFER_BYTES = 4L * 1024 * 1024;
    private static final long BLOCK_BYTES = 16L * 1024;
    private static final double HIGH_PRIORITY_SHARE = 0.1;

    /// 2^2 shards. RocksDB alone would make 64 of 1 MiB, and whatever is larger than its shard, such as the index of a
    /// large file, is read again at each use.
    private static final int SHARD_BITS = 2;

    // Shared by all stores, so no store may close them.
    private static final Cache CACHE;
    private static final WriteBufferManager WRITE_BUFFERS;

    static {
        RocksDB.loadLibrary();
        // A strict limit would fail reads instead of exceeding it for a moment.
        CACHE = new LRUCache(CACHE_BYTES, SHARD_BITS, false, HIGH_PRIORITY_SHARE);
        WRITE_BUFFERS = new WriteBufferManager(WRITE_BUFFERS_BYTES, CACHE);
    }

    @Override
    public void setConfig(String storeName, Options options, Map<String, Object> configs) {
        // Opening fails unless it is the very object that Streams made.
        BlockBasedTableConfig table = (BlockBasedTableConfig) options.tableFormatConfig();
        table.setBlockCache(CACHE);
        table.setCacheIndexAndFilterBlocks(true);
        table.setCacheIndexAndFilterBlocksWithHighPriority(true);
        table.setPinL0FilterAndIndexBlocksInCache(true);
        // Indexes and filters in pieces, so that only those in use need room in the cache, and larger blocks, so that
        // there are fewer pieces.
        table.setIndexType(IndexType.kTwoLevelIndexSearch);
        table.setPartitionFilters(true);
        table.setPinTopLevelIndexAndFilter(true);
        table.setBlockSize(BLOCK_BYTES);
        options.setTableFormatConfig(table);
        options.setWriteBufferManager(WRITE_BUFFERS);
        options.setWriteBufferSize(WRITE_BUFFER_BYTES);
        options.setMaxWriteBufferNumber(2);
        // Most keys are looked for when they come for the first time: a filter spares reading a block in vain.
        options.setOptimizeFiltersForHits(false);
        options.setCompressionType(CompressionType.LZ4_COMPRESSION);
    }

    @Override
    public void close(String storeName, Options options) {
        // Everything set here is shared.
    }
}
