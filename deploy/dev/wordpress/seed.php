<?php
/**
 * Installs WordPress into the development site and seeds it; safe to run again.
 *
 * Reads WP_DIR, WP_URL, WP_ADMIN_PASS and WP_EDITOR_PASS from the environment
 * and writes WP_DIR/wp.env for the programs that use the bed.
 */

if ( 'cli' !== PHP_SAPI ) {
	exit( 1 );
}
$dir = getenv( 'WP_DIR' );
$url = getenv( 'WP_URL' );

// wp-load.php looks at the request; give it the one a visitor would make.
$_SERVER['HTTP_HOST']       = preg_replace( '~^\w+://~', '', $url );
$_SERVER['REQUEST_URI']     = '/';
$_SERVER['REQUEST_METHOD']  = 'GET';
$_SERVER['SERVER_PROTOCOL'] = 'HTTP/1.1';
$_SERVER['REMOTE_ADDR']     = '127.0.0.1';

define( 'WP_INSTALLING', true );
require $dir . '/site/wp-load.php';
require_once ABSPATH . 'wp-admin/includes/upgrade.php';

// The web server is not up yet: no permalink probe over HTTP, no mail.
add_filter( 'pre_http_request', static fn() => new WP_Error( 'hookwarden-dev', 'no HTTP while seeding' ) );

if ( ! is_blog_installed() ) {
	wp_install( 'Hookwarden development', 'admin', 'admin@example.test', true, '', getenv( 'WP_ADMIN_PASS' ) );
}
wp_set_current_user( get_user_by( 'login', 'admin' )->ID );

// Brought up at another address before: what was stored then names the old one.
$old = $wpdb->get_var( "SELECT option_value FROM $wpdb->options WHERE option_name = 'home'" );
if ( $old !== $url ) {
	foreach ( array( 'guid', 'post_content' ) as $column ) {
		$wpdb->query( $wpdb->prepare( "UPDATE $wpdb->posts SET $column = REPLACE( $column, %s, %s )", $old, $url ) );
	}
	$wpdb->query( $wpdb->prepare( "UPDATE $wpdb->options SET option_value = %s WHERE option_name IN ( 'home', 'siteurl' )", $url ) );
}

update_option( 'timezone_string', 'UTC' );
update_option( 'comment_moderation', 0 );
update_option( 'comment_previously_approved', 0 );
update_option( 'template', 'twentytwentythree' );
update_option( 'stylesheet', 'twentytwentythree' );

if ( ! username_exists( 'editor' ) ) {
	wp_insert_user(
		array(
			'user_login' => 'editor',
			'user_pass'  => getenv( 'WP_EDITOR_PASS' ),
			'user_email' => 'editor@example.test',
			'role'       => 'editor',
		)
	);
}

$posts = array(
	'plain-post'   => array( 'Plain post', 'A first paragraph.' ),
	'unicode-post' => array( 'Grüße, 世界 🦀', 'Ünïcödé body — “quotes”, €, 漢字, 🦀.' ),
	'long-post'    => array( 'Long post', str_repeat( "<!-- wp:paragraph --><p>Lorem ipsum dolor sit amet.</p><!-- /wp:paragraph -->\n", 2000 ) ),
);
foreach ( $posts as $slug => list( $title, $body ) ) {
	if ( ! get_page_by_path( $slug, OBJECT, 'post' ) ) {
		wp_insert_post(
			array(
				'post_name'    => $slug,
				'post_title'   => $title,
				'post_content' => $body,
				'post_status'  => 'publish',
				'post_date'    => '2024-01-0' . ( 1 + array_search( $slug, array_keys( $posts ), true ) ) . ' 12:00:00',
			)
		);
	}
}

update_option( 'permalink_structure', '/%year%/%monthnum%/%postname%/' );
delete_option( 'rewrite_rules' ); // Made anew by the next visit, with what plugins add.

// An application password is shown once only: keep it beside the site.
$env_file = $dir . '/wp.env';
$env      = is_file( $env_file ) ? parse_ini_file( $env_file, false, INI_SCANNER_RAW ) : array();
foreach ( array( 'admin', 'editor' ) as $login ) {
	$key = 'WP_' . strtoupper( $login ) . '_APP_PASS';
	if ( empty( $env[ $key ] ) ) {
		$user        = get_user_by( 'login', $login );
		$made        = WP_Application_Passwords::create_new_application_password( $user->ID, array( 'name' => 'hookwarden-dev' ) );
		$env[ $key ] = $made[0];
	}
}
$env = array(
	'WP_URL'         => $url,
	'WP_ADMIN'       => 'admin',
	'WP_ADMIN_PASS'  => getenv( 'WP_ADMIN_PASS' ),
	'WP_EDITOR'      => 'editor',
	'WP_EDITOR_PASS' => getenv( 'WP_EDITOR_PASS' ),
) + $env;
$env['WP_URL'] = $url;
$text = '';
foreach ( $env as $key => $value ) {
	$text .= "$key=$value\n";
}
file_put_contents( $env_file, $text );
echo "seeded\n";
