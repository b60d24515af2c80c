//! One behaviour, every store: each scenario runs over the memory store and the disk store.

mod scenario;

/// Runs each named scenario over a fresh store of every kind.
macro_rules! suite {
    ($($file:ident { $($name:ident)* })*) => {
        mod memory {
            $($(#[test]
            fn $name() {
                crate::scenario::$file::$name(&mediabuild_store::MemoryStore::new());
            })*)*
        }
        mod disk {
            $($(#[test]
            fn $name() {
                let folder = tempfile::tempdir().unwrap();
                let store = mediabuild_store::DiskStore::open(folder.path().join("store"));
                crate::scenario::$file::$name(&store.unwrap());
            })*)*
        }
    };
}

suite! {
    blob {
        a_blob_comes_back_as_it_was
        a_blob_is_named_by_plain_blake3
        the_empty_blob_is_a_blob
        every_piece_is_observed_once
        an_observer_can_stop
        files_are_stored_as_they_are
        a_file_that_changes_meanwhile_is_named_by_what_is_stored
        many_blobs_at_once
        an_error_of_the_source_is_told_apart
        a_caller_that_stops_is_cancelled
        equal_blobs_are_one
        an_unknown_digest_is_not_found
        many_are_found_in_the_order_they_were_asked_for
    }
    part {
        a_part_is_a_content_of_its_own
        parts_come_by_offset_however_they_were_put
        a_part_may_lie_in_a_part
        a_part_outside_its_container_is_refused
        parts_of_nothing_are_refused
        a_part_with_a_wrong_digest_is_caught_on_reading
    }
    recipe {
        a_recipe_reads_as_its_extents
        recipes_nest
        random_access_crosses_extents
        reading_past_the_end_is_an_error
        a_recipe_needs_its_contents
        a_recipe_needs_the_right_sizes
        identity_does_not_depend_on_how_literals_were_cut
        many_extents_read_the_same_with_every_buffer
        the_empty_recipe_is_a_content
        too_deep_a_recipe_is_refused_on_reading
    }
    directory {
        a_directory_comes_back_as_it_was
        paths_become_nested_directories
        many_directories_need_what_is_before_them
        trees_that_differ_are_walked_where_they_do
        names_that_collide_by_case_are_refused
        a_directory_needs_its_entries
        a_directory_is_no_content
    }
    record {
        nothing_is_visible_before_commit
        a_dropped_batch_leaves_nothing
        a_realisation_is_remembered
        realisations_are_found_many_at_once
        one_at_a_time_builds_a_derivation
        a_second_output_is_a_conflict
        a_conflict_found_at_commit_leaves_nothing
        a_realisation_needs_its_output
        memos_are_kept_by_table
        what_was_recorded_is_told_without_a_look_at_it
        a_root_is_found_by_its_name
        many_memos_come_in_the_order_they_were_asked_for
        an_output_is_whole_with_all_it_names
        roots_come_and_go
        the_secret_key_stays
        a_good_store_has_no_problems
        verify_stops_on_request
        threads_may_store_the_same_things
    }
}
