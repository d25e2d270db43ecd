<?php
/**
 * Plugin Name: Hookwarden events (stand-in)
 * Description: Takes the gate's events at /wp-json/hookwarden/v1/events and notes them. Stands in for the plugin; for the development site only.
 *
 * Standard Webhooks: `webhook-id`, `webhook-timestamp`, `webhook-signature` over `id.timestamp.body`.
 * Keys, `whsec_` and base64, are the constant HOOKWARDEN_KEYS (blank-separated) or the lines of HOOKWARDEN_KEYS_FILE;
 * none means that everything is refused. 202 stored, 200 stored before, 400 malformed, 401 not signed by us,
 * 413 too long, 503 not stored: try again.
 */

const HOOKWARDEN_EVENTS_ROUTE = '/hookwarden/v1/events';
const HOOKWARDEN_BODY_MAX     = 1048576;
const HOOKWARDEN_SKEW_S       = 300;

add_action(
	'rest_api_init',
	static function () {
		register_rest_route(
			'hookwarden/v1',
			'/events',
			array(
				'methods'             => 'POST',
				'permission_callback' => '__return_false', // The filter below answers first.
				'callback'            => '__return_null',
				'show_in_index'       => false,
			)
		);
	}
);

// Before WordPress reads the body as JSON: an unsigned body is 401, whatever is in it.
add_filter(
	'rest_pre_dispatch',
	static function ( $result, $server, $request ) {
		$ours = 'POST' === $request->get_method() && strtolower( untrailingslashit( $request->get_route() ) ) === HOOKWARDEN_EVENTS_ROUTE;
		return $ours ? hookwarden_answer( hookwarden_take( $request ) ) : $result;
	},
	1000,
	3
);

function hookwarden_answer( $status ) {
	$words    = array( 200 => 'duplicate', 202 => 'accepted', 400 => 'malformed', 401 => 'refused', 413 => 'too_long', 503 => 'unavailable' );
	$response = new WP_REST_Response( array( 'code' => $words[ $status ] ), $status );
	$response->header( 'Cache-Control', 'no-store' );
	if ( 503 === $status ) {
		$response->header( 'Retry-After', '5' );
	}
	return $response;
}

/** Gives the status that the gate hears. */
function hookwarden_take( WP_REST_Request $request ) {
	$body = $request->get_body(); // As it came: the signature covers these bytes.
	if ( strlen( $body ) > HOOKWARDEN_BODY_MAX ) {
		return 413;
	}
	$id   = (string) $request->get_header( 'webhook-id' );
	$time = (string) $request->get_header( 'webhook-timestamp' );
	if ( ! hookwarden_is_signed( $id, $time, (string) $request->get_header( 'webhook-signature' ), $body ) ) {
		return 401;
	}
	$event = null;
	if ( 0 === stripos( (string) $request->get_header( 'content-type' ), 'application/cloudevents+json' ) ) {
		$event = json_decode( $body, true );
		if ( ! is_array( $event ) || ( $event['id'] ?? null ) !== $id || ! is_string( $event['type'] ?? null ) || ! is_string( $event['source'] ?? null ) ) {
			return 400;
		}
	}
	$stored = hookwarden_store( $id, hash( 'sha256', $body ) );
	if ( false === $stored ) {
		return 503;
	}
	hookwarden_dev_note(
		array(
			'endpoint' => 'events',
			'id'       => $id,
			'type'     => $event['type'] ?? null,
			'source'   => $event['source'] ?? null,
			'sha256'   => hash( 'sha256', $body ),
			'repeat'   => 0 === $stored,
		)
	);
	return 0 === $stored ? 200 : 202;
}

/** One refusal for everything; which part was wrong is nobody's business. */
function hookwarden_is_signed( $id, $time, $signatures, $body ) {
	// A dot in the id would blur what is signed.
	if ( ! preg_match( '/\A[A-Za-z0-9_-]{1,128}\z/', $id ) || ! preg_match( '/\A(0|[1-9][0-9]{0,15})\z/', $time ) ) {
		return false;
	}
	if ( abs( time() - (int) $time ) > HOOKWARDEN_SKEW_S ) {
		return false;
	}
	$good = false;
	foreach ( hookwarden_keys() as $key ) {
		$made = 'v1,' . base64_encode( hash_hmac( 'sha256', "$id.$time.$body", $key, true ) );
		foreach ( array_slice( explode( ' ', $signatures ), 0, 8 ) as $given ) {
			$good = hash_equals( $made, $given ) || $good;
		}
	}
	return $good;
}

/** The keys, decoded; what is no key is left out. */
function hookwarden_keys() {
	$text = defined( 'HOOKWARDEN_KEYS' ) ? HOOKWARDEN_KEYS : '';
	if ( '' === $text && defined( 'HOOKWARDEN_KEYS_FILE' ) && is_readable( HOOKWARDEN_KEYS_FILE ) ) {
		$text = file_get_contents( HOOKWARDEN_KEYS_FILE );
	}
	$keys = array();
	foreach ( preg_split( '/\s+/', $text, -1, PREG_SPLIT_NO_EMPTY ) as $word ) {
		$key = 0 === strpos( $word, 'whsec_' ) ? base64_decode( substr( $word, 6 ), true ) : false;
		if ( is_string( $key ) && strlen( $key ) >= 16 ) {
			$keys[] = $key;
		}
	}
	return $keys;
}

/** 1: new. 0: stored before. False: not stored. The table's key decides, so two at once cannot both be new. */
function hookwarden_store( $id, $sha256 ) {
	global $wpdb;
	$table  = $wpdb->prefix . 'hookwarden_events';
	$insert = $wpdb->prepare( "INSERT IGNORE INTO $table (id, sha256, received) VALUES (%s, %s, %d)", $id, $sha256, time() );
	$quiet  = $wpdb->suppress_errors();
	$stored = $wpdb->query( $insert );
	if ( false === $stored && ! get_option( 'hookwarden_dev_broken' ) ) {
		// The first event of this site. Ids are told apart by their bytes: `msg_A` is not `msg_a`.
		$wpdb->query( "CREATE TABLE IF NOT EXISTS $table (id varchar(128) NOT NULL PRIMARY KEY, sha256 char(64) NOT NULL, received bigint NOT NULL) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin" );
		$stored = $wpdb->query( $insert );
	}
	$wpdb->suppress_errors( $quiet );
	return $stored;
}
