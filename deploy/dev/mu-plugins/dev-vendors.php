<?php
/**
 * Plugin Name: Hookwarden development vendors
 * Description: Stand-ins for the webhook endpoints of popular plugins, dispatched the way those plugins dispatch. For the development site only.
 *
 * wc-api (WooCommerce gateways), a query listener on init (EDD, GiveWP, Gravity Forms), a REST route
 * (PayPal, Mollie, EDD), admin-ajax (PMPro, Formidable), admin-post (Razorpay) and a path (MemberPress).
 * None of them verifies anything, so each line in the hit log is a request that the gate let through.
 * GET /dev-hits gives the log.
 */

/** One JSON line for each hit, in one write: the judge of every test. */
function hookwarden_dev_note( $hit ) {
	file_put_contents( HOOKWARDEN_DEV_HIT_LOG, wp_json_encode( $hit, JSON_UNESCAPED_SLASHES ) . "\n", FILE_APPEND | LOCK_EX );
}

function hookwarden_dev_hit( $endpoint ) {
	$hit = array(
		'endpoint'  => $endpoint,
		'method'    => $_SERVER['REQUEST_METHOD'] ?? '',
		'sha256'    => hash( 'sha256', file_get_contents( 'php://input' ) ),
		'signature' => $_SERVER['HTTP_STRIPE_SIGNATURE'] ?? null,
		'request'   => $_SERVER['HTTP_HOOKWARDEN_REQUEST_ID'] ?? null,
	);
	hookwarden_dev_note( $hit );
	while ( ob_get_level() ) {
		ob_end_clean();
	}
	status_header( 200 );
	header( 'Content-Type: application/json' );
	echo wp_json_encode( $hit );
	exit;
}

if ( 0 === strpos( $_SERVER['REQUEST_URI'] ?? '', '/dev-hits' ) ) {
	header( 'Content-Type: application/x-ndjson' );
	is_file( HOOKWARDEN_DEV_HIT_LOG ) && readfile( HOOKWARDEN_DEV_HIT_LOG );
	exit;
}

add_action(
	'init',
	static function () {
		if ( wp_installing() ) {
			return; // Plugins are not loaded then.
		}
		if ( isset( $_GET['edd-listener'] ) && 'stripe' === $_GET['edd-listener'] ) {
			hookwarden_dev_hit( 'query' );
		}
		add_rewrite_endpoint( 'wc-api', EP_ALL );
		if ( preg_match( '~/mepr/notify/[^/?]+/[^/?]+/?~', strtok( $_SERVER['REQUEST_URI'] ?? '', '?' ) ) ) {
			hookwarden_dev_hit( 'path' );
		}
	}
);

add_filter( 'query_vars', static fn( $vars ) => array_merge( $vars, array( 'wc-api' ) ) );

// As WC_API::handle_api_requests.
add_action(
	'parse_request',
	static function ( $wp ) {
		if ( ! empty( $_GET['wc-api'] ) ) {
			$wp->query_vars['wc-api'] = sanitize_key( wp_unslash( $_GET['wc-api'] ) );
		}
		$name = $wp->query_vars['wc-api'] ?? '';
		if ( is_string( $name ) && 'wc_stripe' === strtolower( sanitize_text_field( $name ) ) ) {
			hookwarden_dev_hit( 'wc-api' );
		}
	},
	0
);

add_action(
	'rest_api_init',
	static function () {
		register_rest_route(
			'vendor/v1',
			'/hook',
			array(
				'methods'             => 'POST',
				'permission_callback' => '__return_true',
				'callback'            => static fn() => hookwarden_dev_hit( 'rest' ),
				'allow_batch'         => array( 'v1' => true ),
			)
		);
	}
);

foreach ( array( 'wp_ajax', 'admin_post' ) as $hookwarden_dev_script ) {
	add_action( "{$hookwarden_dev_script}_nopriv_vendor_hook", static fn() => hookwarden_dev_hit( 'ajax' ) );
}
